"""Service Quotas: how much Fargate an account may run at once, in vCPUs."""

from typing import Any

import boto3

ON_DEMAND = "L-3032A538"  # "Fargate On-Demand vCPU resource count"
SPOT = "L-36FBB829"  # "Fargate Spot vCPU resource count"


class Quotas:
    """The quotas of one region."""

    def __init__(self, region: str, client: Any = None) -> None:
        self._quotas: Any = client or boto3.client("service-quotas", region_name=region)

    def fargate_vcpus(self, quota: str) -> float:
        """The value of ON_DEMAND or SPOT."""
        return float(self._quotas.get_service_quota(ServiceCode="fargate", QuotaCode=quota)["Quota"]["Value"])
