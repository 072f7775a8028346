"""Changes of the territory tree."""

from sqlalchemy.ext.asyncio import AsyncSession

from services.kit import etags
from services.kit.problems import Problem, ValidationFailed, constraint_problems
from services.kit.reach import Level, Reach
from services.registry.territory import queries
from services.registry.territory.schemas import MunicipalityIn, MunicipalityPatch, RegionIn
from services.registry.territory.tables import Municipality, Region

__all__ = [
    "MunicipalityCodeTaken",
    "MunicipalityNotFound",
    "NotTheSystem",
    "RegionCodeTaken",
    "RegionNotFound",
    "add_municipality",
    "change_municipality",
    "found_region",
    "visible_municipality",
    "visible_region",
]


class NotTheSystem(Problem):
    """Only the system's own client, which belongs to no region, makes regions."""

    status = 403
    title = "Регион создаёт только системный клиент"


class RegionNotFound(Problem):
    """The region does not exist for the caller."""

    status = 404
    title = "Регион не найден"


class MunicipalityNotFound(Problem):
    """The municipality does not exist for the caller."""

    status = 404
    title = "Муниципалитет не найден"


class RegionCodeTaken(Problem):
    """A region with the code exists."""

    status = 409
    title = "Регион с таким кодом уже есть"


class MunicipalityCodeTaken(Problem):
    """A municipality of the region has the code."""

    status = 409
    title = "Муниципалитет с таким кодом в регионе уже есть"


async def visible_region(session: AsyncSession, region_id: int) -> Region:
    """Return the region or raise `RegionNotFound`."""
    found = await queries.region(session, region_id)
    if found is None:
        raise RegionNotFound
    return found


async def visible_municipality(session: AsyncSession, municipality_id: int) -> Municipality:
    """Return the municipality or raise `MunicipalityNotFound`."""
    found = await queries.municipality(session, municipality_id)
    if found is None:
        raise MunicipalityNotFound
    return found


async def found_region(session: AsyncSession, new: RegionIn, *, by: Reach) -> Region:
    """Add a region.

    Raises:
        NotTheSystem: The caller belongs to a region itself.
        RegionCodeTaken: The code is already served.
    """
    if by.level is not Level.SYSTEM:
        raise NotTheSystem
    region = Region(**new.model_dump())
    session.add(region)
    async with constraint_problems({"uq_region_code": RegionCodeTaken()}):
        await session.flush()
    return region


async def add_municipality(
    session: AsyncSession, new: MunicipalityIn, *, region_id: int | None
) -> Municipality:
    """Add a municipality to the region it names, or to the caller's own.

    Raises:
        RegionNotFound: There is no such region within reach.
        MunicipalityCodeTaken: The code is taken within the region.
    """
    home = new.region_id if new.region_id is not None else region_id
    if home is None:
        raise ValidationFailed(
            errors=[{"pointer": "/region_id", "code": "missing", "detail": "Укажите регион"}]
        )
    region = await visible_region(session, home)
    _refuse_foreign_oktmo(region, new.oktmo)
    municipality = Municipality(**new.model_dump(exclude={"region_id"}), region_id=region.id)
    session.add(municipality)
    await _flush(session)
    return municipality


async def change_municipality(
    session: AsyncSession, municipality_id: int, patch: MunicipalityPatch, *, expected: int
) -> Municipality:
    """Change what the patch names.

    Raises:
        MunicipalityNotFound: Outside reach.
        MunicipalityCodeTaken: The new code is taken.
    """
    municipality = await queries.municipality(session, municipality_id, for_update=True)
    if municipality is None:
        raise MunicipalityNotFound
    etags.check(expected, municipality.version)
    _refuse_foreign_oktmo(await visible_region(session, municipality.region_id), patch.oktmo)
    for name, value in patch.model_dump(exclude_unset=True).items():
        setattr(municipality, name, value)
    await _flush(session)
    return municipality


async def _flush(session: AsyncSession) -> None:
    async with constraint_problems({"uq_municipality_region_id_code": MunicipalityCodeTaken()}):
        await session.flush()


def _refuse_foreign_oktmo(region: Region, oktmo: str | None) -> None:
    prefix = region.oktmo_prefix
    if oktmo is not None and prefix is not None and not oktmo.startswith(prefix):
        raise ValidationFailed(
            errors=[
                {
                    "pointer": "/oktmo",
                    "code": "oktmo_region",
                    "detail": f"ОКТМО региона начинается с {prefix}",
                }
            ]
        )
