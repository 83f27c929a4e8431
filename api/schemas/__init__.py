"""The bodies of requests and answers, as marshmallow schemas; the OpenAPI document is made from them."""
