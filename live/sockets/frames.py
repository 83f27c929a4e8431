"""A message as it goes over the wire."""

TEXT = 0x81
"""FIN and the opcode of a text frame (RFC 6455, 5.2)."""


def text_frame(text: str) -> bytes:
    """A server's whole text frame: unmasked and so the same for every client."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((TEXT, length)) + payload
    if length < 65_536:
        return bytes((TEXT, 126)) + length.to_bytes(2, "big") + payload
    return bytes((TEXT, 127)) + length.to_bytes(8, "big") + payload
