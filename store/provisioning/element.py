"""A table of the provisioning file: what all of them have in common."""

from pydantic import BaseModel, ConfigDict


class Element(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    def has(self, key: str) -> bool:
        """Whether the file gives this key."""
        return key in self.model_fields_set
