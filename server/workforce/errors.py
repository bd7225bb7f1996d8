from server.core.errors import Kind, Problem


class UnknownSkills(Problem):
    code = "workforce.unknown_skills"
    kind = Kind.REFUSED
    sentence = "These skills are not known here: {keys}."


class NotAnEngineer(Problem):
    code = "workforce.not_an_engineer"
    kind = Kind.REFUSED
    sentence = "This person does not work in the field; give them an engineer's profile first."


class UnknownTerritory(Problem):
    code = "workforce.unknown_territory"
    kind = Kind.REFUSED
    sentence = "There is no such territory."


class NotAnArea(Problem):
    code = "workforce.not_an_area"
    kind = Kind.REFUSED
    sentence = "This is no usable area: {why}."


class ShiftOverlaps(Problem):
    code = "workforce.shift_overlaps"
    kind = Kind.CONFLICT
    sentence = "This person already has a shift from {starts_at} to {ends_at}."


class BreakOutsideShift(Problem):
    code = "workforce.break_outside_shift"
    kind = Kind.REFUSED
    sentence = "The break must open, close and end within the shift."


class SkillTaken(Problem):
    code = "workforce.skill_taken"
    kind = Kind.CONFLICT
    sentence = "There is already a skill with the key {key}."


class TerritoryTaken(Problem):
    code = "workforce.territory_taken"
    kind = Kind.CONFLICT
    sentence = "There is already a territory called {name}."
