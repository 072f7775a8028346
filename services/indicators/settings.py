"""Settings of the indicators service."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from services.kit.settings import ServiceSettings

__all__ = ["IndicatorsSettings"]


class IndicatorsSettings(ServiceSettings):
    """What is particular to indicators."""

    model_config = SettingsConfigDict(env_prefix="OPORA_INDICATORS_")

    pseudonym_key: SecretStr = Field(
        default=SecretStr("development-only-pseudonym-key"),
        description="Key of participants' pseudonyms, at least 16 characters; changing it makes"
        " every later import a different set of people",
    )
    max_csv_bytes: int = Field(
        default=512 * 1024 * 1024, description="Largest CSV of results, bytes (about 10 M rows)"
    )
    max_xlsx_bytes: int = Field(
        default=50 * 1024 * 1024, description="Largest XLSX of results, bytes; held in memory"
    )
    intake_children: int = Field(
        default=2, ge=1, description="Files read at once by one process; others wait their turn"
    )
    intake_seconds: float = Field(
        default=900.0, description="Longest time one file may take to come in"
    )
    suppression_size: int = Field(
        default=5,
        ge=2,
        le=100,
        description="Smallest number of pupils that is told to callers without the scope indices:exact"
        " and in files that leave",
    )
