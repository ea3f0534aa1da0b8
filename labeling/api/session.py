"""Logging in and out in the browser, and API tokens for scripts."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.base_user import AbstractBaseUser
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect, ensure_csrf_cookie
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from labeling.api.errors import ErrorOut
from labeling.api.views import ERRORS, no_content
from labeling.errors import Invalid, NotFound
from labeling.models import ApiToken
from labeling.selectors.people import display_name, initials
from labeling.services.accounts import token_create


class UserOut(serializers.Serializer):
    id = serializers.IntegerField()
    username = serializers.CharField()
    name = serializers.SerializerMethodField()
    initials = serializers.SerializerMethodField()
    is_staff = serializers.BooleanField()

    def get_name(self, user: AbstractBaseUser) -> str:
        return display_name(user)

    def get_initials(self, user: AbstractBaseUser) -> str:
        return initials(user)


class SessionOut(serializers.Serializer):
    user = UserOut(allow_null=True)
    csrf = serializers.CharField()


class LoginIn(serializers.Serializer):
    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=1000, trim_whitespace=False)


class TokenIn(serializers.Serializer):
    name = serializers.CharField(max_length=100, required=False, allow_blank=True, default="")


class TokenOut(serializers.ModelSerializer):
    key_start = serializers.CharField(source="token_key")
    created_at = serializers.DateTimeField(source="created")

    class Meta:
        model = ApiToken
        fields = ["id", "name", "key_start", "created_at", "expiry"]


class TokenCreatedOut(serializers.Serializer):
    """The only time that the token itself is shown."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    token = serializers.CharField()
    expiry = serializers.DateTimeField(allow_null=True)


class LoginThrottle(SimpleRateThrottle):
    """Tries per address and name: a list of passwords meets a wall, a colleague's typos do not."""

    scope = "login"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if request.method != "POST":
            return None
        name = str(request.data.get("username", ""))[:150] if isinstance(request.data, dict) else ""
        return self.cache_format % {
            "scope": self.scope,
            "ident": f"{self.get_ident(request)}/{name.lower()!r}",
        }


class AddressThrottle(SimpleRateThrottle):
    """Tries per address: one password tried on a list of names meets a wall too, farther off than the other."""

    scope = "login_address"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        if request.method != "POST":
            return None
        return self.cache_format % {"scope": self.scope, "ident": self.get_ident(request)}


@method_decorator(ensure_csrf_cookie, name="get")
class SessionView(APIView):
    """Who is logged in. The browser asks this first: the answer carries the CSRF token that it must send back."""

    permission_classes = [AllowAny]
    throttle_classes = [LoginThrottle, AddressThrottle]

    @extend_schema(operation_id="session_get", responses=SessionOut)
    def get(self, request: Request) -> Response:
        return _session(request)

    @extend_schema(
        operation_id="session_login",
        request=LoginIn,
        responses={200: SessionOut, 400: OpenApiResponse(ErrorOut, description="Wrong name or password.")},
    )
    @method_decorator(csrf_protect)  # DRF checks it for those who are logged in only; this is login CSRF
    def post(self, request: Request) -> Response:
        given = LoginIn(data=request.data)
        given.is_valid(raise_exception=True)
        user = authenticate(request._request, **given.validated_data)
        if user is None:
            raise Invalid("The name or the password is wrong.", code="wrong_credentials")
        login(request._request, user)
        request.user = user
        return _session(request)

    @extend_schema(operation_id="session_logout", responses={204: None})
    def delete(self, request: Request) -> Response:
        logout(request._request)
        return no_content()


class TokensView(APIView):
    """The user's API tokens."""

    @extend_schema(operation_id="token_list", responses={200: TokenOut(many=True), 401: ERRORS[401]})
    def get(self, request: Request) -> Response:
        return Response(TokenOut(ApiToken.objects.filter(user_id=request.user.pk), many=True).data)

    @extend_schema(
        operation_id="token_create", request=TokenIn, responses={201: TokenCreatedOut, 401: ERRORS[401]}
    )
    def post(self, request: Request) -> Response:
        given = TokenIn(data=request.data)
        given.is_valid(raise_exception=True)
        token, secret = token_create(user=request.user, name=given.validated_data["name"])
        out = {"id": token.id, "name": token.name, "token": secret, "expiry": token.expiry}
        return Response(TokenCreatedOut(out).data, status=201)


class TokenView(APIView):
    """One of the user's API tokens."""

    @extend_schema(operation_id="token_delete", responses={204: None, **ERRORS})
    def delete(self, request: Request, token_id: UUID) -> Response:
        deleted, _ = ApiToken.objects.filter(user_id=request.user.pk, id=token_id).delete()
        if not deleted:
            raise NotFound("The token")
        return no_content()


def _session(request: Request) -> Response:
    user = request.user if request.user.is_authenticated else None
    return Response(SessionOut({"user": user, "csrf": get_token(request._request)}).data)
