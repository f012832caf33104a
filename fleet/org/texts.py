"""How a lane is served, in words."""

from __future__ import annotations

from fleet.kit.i18n import t


def on_foot_text(
    mode: str, lang: str, *, street: str | None, street_hi: str | None, walk_m: float | None
) -> str | None:
    """A sentence for a lane that no vehicle drives through; None for one that is entered.

    Args:
        street, street_hi: names of the lane on which the vehicle stands; "" without a name, None
            where no vehicle comes near.
        walk_m: way on foot from there to the lane.
    """
    if mode == "enter":
        return None
    if street is None:
        return t(lang, "org.on_foot_nowhere")
    named = (street_hi if lang == "hi" else street) or t(lang, "org.unnamed")
    if mode in ("mouth", "gate"):
        return t(lang, f"org.on_foot_{mode}", street=named)
    metres = round(walk_m or 0.0)
    if metres == 0:
        return t(lang, "org.on_foot_beside", street=named)
    return t(lang, "org.on_foot", street=named, metres=metres)
