"""Events as AWS documents them, with all of their members, for a POST of bytes to a function."""

import base64
from typing import Any

HEADERS = {
    "accept": "application/octet-stream",
    "accept-encoding": "gzip,deflate",
    "content-type": "application/octet-stream",
    "host": "abc123.lambda-url.eu-central-1.on.aws",
    "user-agent": "statefun",
    "x-amzn-trace-id": "Root=1-5e6722a7-cc56xmpl46db7ae02d4da47e",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def function_url(body: bytes, method: str = "POST") -> dict[str, Any]:
    """A Lambda function URL: payload format 2.0, header names in lower case, a binary body in base64."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": HEADERS,
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc123",
            "domainName": "abc123.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abc123",
            "http": {
                "method": method,
                "path": "/",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.7",
                "userAgent": "statefun",
            },
            "requestId": "b4a4c9b2-66b5-4b2b-9b52-6b6e7f0b1c11",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def http_api(body: bytes, method: str = "POST") -> dict[str, Any]:
    """An API Gateway HTTP API, payload format 2.0: as a function URL, with a route and its parameters."""
    event = function_url(body, method)
    event["requestContext"]["authorizer"] = {"jwt": {"claims": {"claim1": "value1"}, "scopes": ["scope1"]}}
    event["requestContext"]["authentication"] = None
    return {
        **event,
        "routeKey": "POST /statefun",
        "rawPath": "/statefun",
        "rawQueryString": "parameter1=value1",
        "cookies": ["cookie1"],
        "queryStringParameters": {"parameter1": "value1"},
        "pathParameters": None,
        "stageVariables": {"stageVariable1": "value1"},
    }


def rest_api(body: bytes, method: str = "POST") -> dict[str, Any]:
    """An API Gateway REST API, payload format 1.0: header names as the client wrote them, each also with all values."""
    headers = {name.title(): value for name, value in HEADERS.items()}
    return {
        "resource": "/statefun",
        "path": "/statefun",
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "id",
            "authorizer": {"claims": None, "scopes": None},
            "domainName": "id.execute-api.eu-central-1.amazonaws.com",
            "domainPrefix": "id",
            "extendedRequestId": "request-id",
            "httpMethod": method,
            "identity": {"accessKey": None, "accountId": None, "sourceIp": "203.0.113.7", "userAgent": "statefun"},
            "path": "/statefun",
            "protocol": "HTTP/1.1",
            "requestId": "id=",
            "requestTime": "04/Mar/2020:19:15:17 +0000",
            "requestTimeEpoch": 1583349317135,
            "resourceId": None,
            "resourcePath": "/statefun",
            "stage": "$default",
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def http_api_of_format_1(body: bytes, method: str = "POST") -> dict[str, Any]:
    """An HTTP API that was told to use payload format 1.0."""
    return {"version": "1.0", **rest_api(body, method)}


EVENTS = (function_url, http_api, rest_api, http_api_of_format_1)
