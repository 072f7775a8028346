"""Settings of monitoring."""

from pydantic_settings import SettingsConfigDict

from services.kit.settings import ServiceSettings

__all__ = ["MonitoringSettings"]


class MonitoringSettings(ServiceSettings):
    """Nothing particular yet."""

    model_config = SettingsConfigDict(env_prefix="OPORA_MONITORING_")
