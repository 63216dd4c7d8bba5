"""Countries of field 14: the vendor numbers them and tells English labels, our rows have ISO codes.

Belongs here: ISO code to English name, for the labels that an account lists. Numbers are looked up, never written here;
a country that is not among the account's choices is left out of the contact. Source: Emarsys API contract 1.7, 5.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

ISO: Final = {
    "AE": "United Arab Emirates",
    "AT": "Austria",
    "AU": "Australia",
    "BE": "Belgium",
    "BG": "Bulgaria",
    "BH": "Bahrain",
    "BR": "Brazil",
    "CA": "Canada",
    "CH": "Switzerland",
    "CN": "China",
    "CY": "Cyprus",
    "CZ": "Czech Republic",
    "DE": "Germany",
    "DK": "Denmark",
    "EE": "Estonia",
    "ES": "Spain",
    "FI": "Finland",
    "FR": "France",
    "GB": "United Kingdom",
    "GI": "Gibraltar",
    "GR": "Greece",
    "HK": "Hong Kong",
    "HR": "Croatia",
    "HU": "Hungary",
    "IE": "Ireland",
    "IL": "Israel",
    "IN": "India",
    "IS": "Iceland",
    "IT": "Italy",
    "JP": "Japan",
    "KR": "South Korea",
    "LB": "Lebanon",
    "LT": "Lithuania",
    "LU": "Luxembourg",
    "LV": "Latvia",
    "MT": "Malta",
    "MX": "Mexico",
    "NL": "Netherlands",
    "NO": "Norway",
    "NZ": "New Zealand",
    "PL": "Poland",
    "PT": "Portugal",
    "RO": "Romania",
    "SA": "Saudi Arabia",
    "SE": "Sweden",
    "SG": "Singapore",
    "SI": "Slovenia",
    "SK": "Slovakia",
    "TR": "Turkey",
    "US": "United States of America",
    "ZA": "South Africa",
}
"""English names of the countries that are sold to, without an article."""


def names_of(labels: Mapping[str, str]) -> dict[str, str]:
    """Choice ids by ISO code, from choice ids by label."""
    known = {_plain(label): number for label, number in labels.items()}
    return {code: known[_plain(name)] for code, name in ISO.items() if _plain(name) in known}


def _plain(label: str) -> str:
    return label.strip().lower().removeprefix("the ")
