import httpx
import pytest
from ledgers import begin

from loom.api.bodies import Limits
from loom.errors import CODES, LoomError

FIELDS = {"type", "title", "status", "code", "detail", "retryable"}


def test_every_code_has_a_status_and_comes_as_a_problem(serving, loom, token, monkeypatch):
    server = serving()
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}) as http:
        for code, row in CODES.items():

            def fail(*_, code=code, **__):
                raise LoomError(code, "what went wrong")

            monkeypatch.setattr(loom, "workers", fail)
            answer = http.get("/api/v1/workers")
            problem = answer.json()
            assert (answer.status_code, problem["status"], problem["code"]) == (row.http, row.http, code)
            assert set(problem) == FIELDS
            assert (problem["detail"], problem["retryable"]) == ("what went wrong", row.retryable)
            assert answer.headers["content-type"] == "application/problem+json"


def test_what_nobody_foresaw_says_nothing_of_the_inside(serving, loom, token, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("secret of /home/somebody")

    monkeypatch.setattr(loom, "workers", fail)
    answer = httpx.get(f"{serving().url}/api/v1/workers", headers={"Authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["code"]) == (500, "INTERNAL")
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "NOT_FOUND"),
        ("GET", "/runs/", 404, "NOT_FOUND"),
        ("POST", "/nope", 404, "NOT_FOUND"),
        ("PUT", "/runs/7/nope", 404, "NOT_FOUND"),
        ("DELETE", "/", 404, "NOT_FOUND"),
        ("PATCH", "/../v2/runs", 404, "NOT_FOUND"),
        ("OPTIONS", "/nope", 404, "NOT_FOUND"),
        ("GET", "/pipelines/photos/versions/1/restore", 405, "METHOD_NOT_ALLOWED"),
        ("PATCH", "/runs", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/runs/7", 422, "REQUEST_INVALID"),
        ("GET", "/runs/00000000-0000-0000-0000-000000000000", 404, "NOT_FOUND"),
        ("POST", "/pipelines/photos/versions/0/restore", 422, "REQUEST_INVALID"),
        ("POST", "/runs", 422, "REQUEST_INVALID"),
    ],
)
def test_refusals(http, method, path, status, code):
    answer = http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert set(answer.json()) == FIELDS


def test_not_ready_is_told_without_details(serving):
    def broken():
        raise LoomError("DATABASE_DAMAGED", "/home/somebody/loom.db is damaged")

    server = serving(readiness=broken)
    answer = httpx.get(f"{server.url}/readyz")
    assert (answer.status_code, answer.json()["code"]) == (500, "DATABASE_DAMAGED")
    assert "somebody" not in answer.text
    assert httpx.get(f"{server.url}/healthz").json()["status"] == "ok"


@pytest.mark.parametrize("streamed", [False, True])
def test_bodies_are_bounded_where_they_are_read(serving, loom, token, streamed):
    server = serving(limits=Limits(people=1000, batch=2000, artifact=3000))

    def status(method, path, size):
        body = iter([b" " * 500] * (size // 500)) if streamed else b" " * size
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.request(method, f"{server.url}/api/v1{path}", content=body, headers=headers).status_code

    run = begin(loom)
    for method, path, limit, fine in (
        ("POST", "/pipelines/compile", 1000, 422),
        ("POST", f"/runs/{run}/finish", 2000, 422),
        ("PUT", f"/artifacts/{'0' * 64}", 3000, 422),
    ):
        assert status(method, path, limit) == fine
        assert status(method, path, limit + 500) == 413


def test_a_malformed_uuid_is_told_in_a_sentence(http):
    for path, where in (("/runs/zz", "path.uuid"), ("/failures?run=zz", "query.run")):
        refused = http.get(path)
        assert (refused.status_code, refused.json()["detail"]) == (422, f"{where}: 'zz' is not a UUID")
