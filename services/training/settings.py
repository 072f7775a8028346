"""Settings of training."""

from pydantic_settings import SettingsConfigDict

from services.kit.settings import ServiceSettings

__all__ = ["TrainingSettings"]


class TrainingSettings(ServiceSettings):
    """Nothing particular yet."""

    model_config = SettingsConfigDict(env_prefix="OPORA_TRAINING_")
