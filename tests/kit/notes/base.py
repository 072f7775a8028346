from sqlalchemy.orm import DeclarativeBase

from services.kit.database import new_metadata


class Base(DeclarativeBase):
    metadata = new_metadata()
