"""Settings of the registry."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.kit.settings import ServiceSettings

__all__ = ["RegistrySettings"]


class RegistrySettings(ServiceSettings):
    """What is particular to the registry."""

    model_config = SettingsConfigDict(env_prefix="OPORA_REGISTRY_")

    max_upload_bytes: int = Field(
        default=20 * 1024 * 1024, description="Largest file of schools, bytes (about 100 000 rows)"
    )
    max_upload_rows: int = Field(default=50_000, description="Rows of a file of schools")
    max_inflated_bytes: int = Field(
        default=200 * 1024 * 1024, description="Largest XLSX after unpacking, bytes"
    )
