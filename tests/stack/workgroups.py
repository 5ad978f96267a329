"""Workgroups: what a query may cost, and where its result goes."""

import time

SMALLEST_CUTOFF = 10_000_000


class InvalidRequest(Exception):
    """A request that Athena refuses with status 400."""

    def __init__(self, message, code="INVALID_INPUT"):
        super().__init__(message)
        self.code = code


class Workgroups:
    """All of them, by name. `primary` is always there."""

    def __init__(self):
        self.all = {}
        self.create({"Name": "primary", "Configuration": {"EnforceWorkGroupConfiguration": False}})

    def get(self, name, message="WorkGroup {} is not found."):
        """The workgroup of a name."""
        if name not in self.all:
            raise InvalidRequest(message.format(name))
        return self.all[name]

    def create(self, request):
        """CreateWorkGroup."""
        name = request["Name"]
        if name in self.all:
            raise InvalidRequest(f"WorkGroup {name} is already created")
        given = request.get("Configuration", {})
        configuration = {
            "EnforceWorkGroupConfiguration": True,
            "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False,
            **given,
        }
        configuration["EngineVersion"] = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
        _check(configuration)
        self.all[name] = {
            "Name": name,
            "State": "ENABLED",
            "Description": request.get("Description", ""),
            "CreationTime": time.time(),
            "Configuration": configuration,
        }
        return {}

    def update(self, request):
        """UpdateWorkGroup."""
        group = self.get(request["WorkGroup"])
        configuration = dict(group["Configuration"])
        updates = dict(request.get("ConfigurationUpdates", {}))
        results = updates.pop("ResultConfigurationUpdates", None)
        managed = updates.pop("ManagedQueryResultsConfigurationUpdates", None)
        if updates.pop("RemoveBytesScannedCutoffPerQuery", False):
            configuration.pop("BytesScannedCutoffPerQuery", None)
        updates.pop("EngineVersion", None)
        configuration.update(updates)
        if results:
            kept = {
                field: value for field, value in configuration.get("ResultConfiguration", {}).items() if not results.get(f"Remove{field}")
            }
            kept.update((field, value) for field, value in results.items() if not field.startswith("Remove"))
            configuration["ResultConfiguration"] = kept
        if managed:
            kept = dict(configuration.get("ManagedQueryResultsConfiguration", {}))
            if managed.get("RemoveEncryptionConfiguration"):
                kept.pop("EncryptionConfiguration", None)
            kept.update((field, value) for field, value in managed.items() if not field.startswith("Remove"))
            configuration["ManagedQueryResultsConfiguration"] = kept
        _check(configuration)
        group.update({"Configuration": configuration, **{field: request[field] for field in ("Description", "State") if field in request}})
        return {}

    def delete(self, request):
        """DeleteWorkGroup."""
        name = request["WorkGroup"]
        self.get(name)
        if name == "primary":
            raise InvalidRequest("The primary workgroup can't be deleted")
        del self.all[name]
        return {}


def managed(group):
    """Whether Athena keeps the results itself."""
    return group["Configuration"].get("ManagedQueryResultsConfiguration", {}).get("Enabled", False)


def location(group, request):
    """Where the result of a request goes, with a slash at its end; None where Athena keeps it."""
    given = request.get("ResultConfiguration", {}).get("OutputLocation")
    if managed(group):
        if given or request.get("ResultReuseConfiguration", {}).get("ResultReuseByAgeConfiguration", {}).get("Enabled"):
            raise InvalidRequest("A result configuration or result reuse can't be given where the workgroup has managed query results")
        return None
    own = group["Configuration"].get("ResultConfiguration", {}).get("OutputLocation")
    chosen = own if own and (group["Configuration"]["EnforceWorkGroupConfiguration"] or not given) else given
    if not chosen:
        raise InvalidRequest(
            "No output location provided. An output location is required either through the Workgroup result configuration setting or as an API input."
        )
    if not chosen.startswith("s3://"):
        raise InvalidRequest(f"outputLocation is not a valid S3 path: {chosen}")
    return chosen.rstrip("/") + "/"


def _check(configuration):
    cutoff = configuration.get("BytesScannedCutoffPerQuery")
    if cutoff is not None and cutoff < SMALLEST_CUTOFF:
        raise InvalidRequest(
            f"1 validation error detected: Value '{cutoff}' at 'bytesScannedCutoffPerQuery' failed to satisfy constraint: "
            f"Member must have value greater than or equal to {SMALLEST_CUTOFF}"
        )
    if configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled") and configuration.get("ResultConfiguration", {}).get(
        "OutputLocation"
    ):
        raise InvalidRequest("A workgroup with managed query results can't have an output location")
