"""The one place that builds a Temporal client: the codec that encrypts payloads goes here."""

from __future__ import annotations

from temporalio.client import Client


async def connect(address: str, namespace: str = "default") -> Client:
    """Connect to Temporal at `address` (host:port).

    Raises:
        RuntimeError: Temporal does not answer there.
    """
    return await Client.connect(address, namespace=namespace)
