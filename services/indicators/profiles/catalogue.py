"""The shipped catalogue of attributes: data, from which a region takes what it asks."""

import json
from functools import cache
from importlib import resources

from services.indicators.profiles.schemas import CatalogueAttribute

__all__ = ["catalogue"]


@cache
def catalogue() -> dict[str, CatalogueAttribute]:
    """Return the attributes by code, in the order of the file."""
    source = resources.files("services.indicators.data") / "profile_attributes.json"
    listed = [
        CatalogueAttribute.model_validate(each)
        for each in json.loads(source.read_text(encoding="utf-8"))
    ]
    return {attribute.code: attribute for attribute in listed}
