from server.core.errors import Kind, Problem


class UnknownBlob(Problem):
    code = "blob.unknown"
    kind = Kind.NOT_FOUND
    sentence = "No file with this hash has been announced; announce it first."


class BlobTooLarge(Problem):
    code = "blob.too_large"
    kind = Kind.TOO_LARGE
    sentence = "A file may hold at most {limit} bytes; this one has {size}."


class ChunkTooLarge(Problem):
    code = "blob.chunk_too_large"
    kind = Kind.TOO_LARGE
    sentence = "One request may carry at most {limit} bytes of a file; send smaller chunks."


class BeyondDeclaredSize(Problem):
    code = "blob.beyond_declared_size"
    kind = Kind.TOO_LARGE
    sentence = "These bytes would make the file longer than the {size} bytes announced; nothing was kept of them."


class PurposeNotForClients(Problem):
    code = "blob.purpose_not_for_clients"
    kind = Kind.REFUSED
    sentence = "Files for the purpose {purpose} are made by the server and can't be uploaded."


class OffsetDiffers(Problem):
    code = "blob.offset_differs"
    kind = Kind.CONFLICT
    sentence = "This file goes on at byte {offset}."


class UploadPreempted(Problem):
    code = "blob.preempted"
    kind = Kind.CONFLICT
    sentence = "A newer request is uploading this file; the file goes on at byte {offset}."


class UploadStalled(Problem):
    code = "blob.stalled"
    kind = Kind.UNAVAILABLE
    sentence = "No bytes arrived for {seconds} seconds; what had arrived is kept, go on from there."


class UploadCutOff(Problem):
    code = "blob.cut_off"
    kind = Kind.UNAVAILABLE
    sentence = "The request ended before all of its bytes had come; what had come is kept, go on from there."


class HashDiffers(Problem):
    code = "blob.hash_differs"
    kind = Kind.CONFLICT
    sentence = "The bytes received do not have the announced hash; send the file again from the start."


class ContentNotAllowed(Problem):
    code = "blob.content_not_allowed"
    kind = Kind.REFUSED
    sentence = "By its own bytes this file is none of: {allowed}. It is not kept."


class StoreUnavailable(Problem):
    code = "blob.store_unavailable"
    kind = Kind.UNAVAILABLE
    sentence = "The file store can't take files right now; keep the file and try again later."


class DeviceQuotaReached(Problem):
    code = "blob.device_quota"
    kind = Kind.TOO_LARGE
    sentence = "This device may announce {limit} bytes of files in 24 hours and has reached that; send the file later."


class OrganisationQuotaReached(Problem):
    code = "blob.organisation_quota"
    kind = Kind.TOO_LARGE
    sentence = "Your organisation may keep {limit} bytes of files and has reached that; keep the file, tell the office."


class ChunkDiffers(Problem):
    code = "blob.chunk_differs"
    kind = Kind.CONFLICT
    sentence = (
        "These bytes do not have the checksum they were sent with; none of them was kept, go on at byte {offset}."
    )


class ChecksumUnreadable(Problem):
    code = "blob.checksum_unreadable"
    kind = Kind.MALFORMED
    sentence = "Upload-Checksum is one of {known}, a space, and the digest in base64."


class MetadataUnreadable(Problem):
    code = "blob.metadata_unreadable"
    kind = Kind.MALFORMED
    sentence = "Upload-Metadata is pairs of a key and a value in base64, with commas between them; {wrong}."


class FileIsKept(Problem):
    code = "blob.kept"
    kind = Kind.CONFLICT
    sentence = "This file is {why}; it is kept."


class OriginalRestricted(Problem):
    code = "blob.original_restricted"
    kind = Kind.FORBIDDEN
    sentence = "The original with its metadata is evidence, for whoever took it and for the office; ask for v=view."


class NoSmallCopy(Problem):
    code = "blob.no_small_copy"
    kind = Kind.NOT_FOUND
    sentence = "There is no small copy of this photo: {why}."
