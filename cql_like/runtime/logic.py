"""Three-valued logic (CQL Appendix B §Logical operators; Author's Guide §Truth tables). None is unknown."""


def and_(left: bool | None, right: bool | None) -> bool | None:
    """false wins, then null."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def or_(left: bool | None, right: bool | None) -> bool | None:
    """true wins, then null."""
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def xor(left: bool | None, right: bool | None) -> bool | None:
    """null with anything is null."""
    return None if left is None or right is None else left is not right


def implies(left: bool | None, right: bool | None) -> bool | None:
    """`not left or right`: false implies anything, anything implies true."""
    if left is False or right is True:
        return True
    return None if left is None or right is None else False


def not_(operand: bool | None) -> bool | None:
    """null stays null."""
    return None if operand is None else not operand


def is_true(operand: bool | None) -> bool:
    """`is true`: null is not true."""
    return operand is True


def is_false(operand: bool | None) -> bool:
    """`is false`: null is not false."""
    return operand is False


def is_null(operand: object) -> bool:
    """`is null`."""
    return operand is None


def coalesce(*operands: object) -> object:
    """The first operand that is not null."""
    return next((operand for operand in operands if operand is not None), None)


def coalesce_list(operands: list[object] | None) -> object:
    """The first element that is not null."""
    return next((operand for operand in operands or () if operand is not None), None)
