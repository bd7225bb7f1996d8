"""Files that orders refer to, also those of photos that were hidden: hiding can be taken back."""

PHOTOS = "select sha256 from photo"
