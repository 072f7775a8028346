"""What of the methodology and of the list a trace tells: enough to lay the order beside the answer."""

from services.indicators.algebra.binomial import tail_of
from services.indicators.identification.tables import RunSchool
from services.indicators.identification.tracing.facts import RunFacts
from services.indicators.identification.tracing.flag_schemas import CategoryTraceOut
from services.indicators.identification.tracing.schemas import ListTraceOut, MethodologyTraceOut

__all__ = ["categories_of", "listing_of", "methodology_of"]


def methodology_of(facts: RunFacts) -> MethodologyTraceOut:
    """Tell the version of the methodology, as far as answers depend on it."""
    told = facts.methodology
    source = told.source
    return MethodologyTraceOut(
        code=told.code,
        number=facts.methodology_number,
        title=told.title,
        document_hash=facts.methodology_hash,
        order_number=told.order.number if told.order else None,
        order_date=told.order.date if told.order else None,
        in_force_from=told.in_force_from,
        in_force_to=told.in_force_to,
        source=", ".join(part for part in (source.document, source.paragraph) if part)
        if source
        else None,
        based_on=told.low_result.based_on,
        threshold=told.low_result.threshold,
        operator=told.low_result.operator,
        small_below=told.small_n.below,
        small_policy=told.small_n.policy,
        small_years=told.small_n.years,
        z=told.certainty.z,
        interval=told.certainty.interval,
        tail=str(tail_of(told.certainty.z)),
        shrinkage=told.certainty.shrinkage,
        excluded_school_kinds=told.excluded_school_kinds,
    )


def categories_of(facts: RunFacts, row: RunSchool) -> list[CategoryTraceOut]:
    """Tell the categories, so that a reader sees why the school's is the only one that fits."""
    return [
        CategoryTraceOut(
            code=category.code,
            title=category.title,
            has=list(category.has),
            has_not=list(category.has_not),
            is_chosen=category.code == row.category,
        )
        for category in facts.methodology.categories
    ]


def listing_of(facts: RunFacts) -> ListTraceOut:
    """Tell the list: its state, its order, and the hashes that it is verified by."""
    return ListTraceOut.model_validate(facts.run)
