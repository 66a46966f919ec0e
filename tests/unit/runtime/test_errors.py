"""An error survives the wire: category, sentence, reason and the fields it is about."""

from __future__ import annotations

import grpc
import pytest

from services.runtime.errors import CODES, Category, HandrailError, Invalid, from_rpc_error, to_status


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_its_code_and_comes_back(category: Category) -> None:
    error = HandrailError("Do this instead.", reason="because", field="facts[0].name", category=category)
    sent = to_status(error)
    metadata = grpc.aio.Metadata(("grpc-status-details-bin", sent.SerializeToString()))
    received = from_rpc_error(
        grpc.aio.AioRpcError(CODES[category], grpc.aio.Metadata(), metadata, details=error.message)
    )
    assert received.category is category
    assert received.message == "Do this instead."
    assert received.reason == "because"
    assert [v.field for v in received.violations] == ["facts[0].name"]


def test_a_service_that_does_not_answer_in_time_is_unavailable() -> None:
    error = grpc.aio.AioRpcError(grpc.StatusCode.DEADLINE_EXCEEDED, grpc.aio.Metadata(), grpc.aio.Metadata())
    assert from_rpc_error(error).category is Category.UNAVAILABLE


def test_a_field_makes_a_violation() -> None:
    assert Invalid("too long", field="note").violations[0].description == "too long"
