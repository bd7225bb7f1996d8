from server.core.errors import Kind, Problem


class SerialTaken(Problem):
    code = "asset.serial_taken"
    kind = Kind.CONFLICT
    sentence = "There is already a {product} with the serial number {serial}."


class SiteOfAnotherCustomer(Problem):
    code = "contact.site_of_another_customer"
    kind = Kind.REFUSED
    sentence = "This site does not belong to this customer."


class SuggestionSettled(Problem):
    code = "duplicate.settled"
    kind = Kind.CONFLICT
    sentence = "This was decided already: {settlement}."
