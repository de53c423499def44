"""The composition root: which adapter stands behind which port. Nothing is made or read before it is used.

Nor is what is slow to import: the SDK, the catalogue, and urllib3. A handler that needs none of them starts without.
"""

from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Tracer

from functions.adapters.bus import Bus
from functions.adapters.dask_services import DaskServices
from functions.adapters.drained import is_drained
from functions.adapters.executions import Executions
from functions.adapters.finish_function import FinishFunction
from functions.adapters.functions_client import SubmitFunction
from functions.adapters.ledger_table import LedgerTable
from functions.adapters.objects import Bucket, Buckets, s3_config
from functions.adapters.runs_table import RunsTable
from functions.adapters.schedules import Schedules
from functions.adapters.tls_parameter import TlsParameter
from functions.adapters.topic import Topic
from functions.core.clock import Clock, SystemClock
from functions.core.planning import Stack, TaskSize
from functions.core.receipt import Tariff
from functions.core.scaling import Role
from functions.core.submission import Submitter
from functions.settings import Settings
from jobspec import Registry

if TYPE_CHECKING:
    from functions.adapters.https_files import HttpsFiles


class Wiring:
    """The adapters of one process; each is made when it is first asked for."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    @cached_property
    def clock(self) -> Clock:
        """The time."""
        return SystemClock()

    @cached_property
    def runs(self) -> RunsTable:
        """The runs table."""
        return RunsTable(_sdk().resource("dynamodb"), self.settings.runs_table, self.clock)

    @cached_property
    def specs(self) -> Bucket:
        """The bucket of specs and answers."""
        return Bucket(self._s3, self.settings.specs_bucket)

    @cached_property
    def results(self) -> Bucket:
        """The bucket of results."""
        return Bucket(self._s3, self.settings.results_bucket)

    @cached_property
    def buckets(self) -> Buckets:
        """The buckets that specs may name."""
        return Buckets(self._s3)

    @cached_property
    def web(self) -> "HttpsFiles":
        """Files behind https."""
        from functions.adapters.https_files import HttpsFiles

        return HttpsFiles()

    @cached_property
    def executions(self) -> Executions:
        """The executions of the state machine."""
        return Executions(_sdk().client("stepfunctions"), self.settings.state_machine)

    @cached_property
    def schedules(self) -> Schedules:
        """The schedules."""
        settings = self.settings
        client = _sdk().client("scheduler")
        return Schedules(client, settings.schedule_group, settings.submit_queue, settings.schedule_role)

    @cached_property
    def submit_function(self) -> SubmitFunction:
        """The function submit, for whoever may not do its work."""
        return SubmitFunction(_sdk().client("lambda", config=SubmitFunction.config()), self.settings.submit_function)

    @cached_property
    def stack(self) -> Stack:
        """What runs are planned for."""
        settings = self.settings
        return Stack(
            max_workers=settings.max_workers,
            worker=settings.worker,
            client=settings.client,
            scheduler=settings.scheduler,
            prices=settings.prices,
            spot_share=settings.spot_share,
        )

    @cached_property
    def ledger(self) -> LedgerTable:
        """The worker ledger, and the rows of the runs that it is about."""
        settings = self.settings
        return LedgerTable(_sdk().resource("dynamodb"), settings.runs_table, settings.max_workers, self.clock.sleep)

    @cached_property
    def dask_services(self) -> DaskServices:
        """Scheduler, workers and clients."""
        settings = self.settings
        return DaskServices(
            _sdk().client("ecs"),
            settings.cluster,
            settings.scheduler_service,
            settings.worker_service,
            settings.client_family,
        )

    @cached_property
    def tariff(self) -> Tariff:
        """What the tasks of a run cost."""
        settings = self.settings
        sizes: dict[Role, TaskSize] = {
            "client": settings.client,
            "worker": settings.worker,
            "scheduler": settings.scheduler,
        }
        return Tariff(sizes, settings.prices, settings.public_ips)

    @cached_property
    def topic(self) -> Topic:
        """Who is told of the ends of runs."""
        return Topic(_sdk().client("sns"), self.settings.topic)

    @cached_property
    def bus(self) -> Bus:
        """Which programs are told of the ends of runs."""
        return Bus(_sdk().client("events"), self.settings.bus)

    @cached_property
    def finish_function(self) -> FinishFunction:
        """The function finish_run, for whoever may not do its work."""
        return FinishFunction(_sdk().client("lambda", config=FinishFunction.config()), self.settings.finish_function)

    @cached_property
    def jobs(self) -> Registry:
        """The catalogue."""
        from jobs import JOBS

        return JOBS

    @cached_property
    def submitter(self) -> Submitter:
        """What turns submissions into runs."""
        return Submitter(
            jobs=self.jobs,
            runs=self.runs,
            results=self.results,
            results_bucket=self.settings.results_bucket,
            buckets=self.buckets,
            web=self.web,
            executions=self.executions,
            ledger=self.ledger,
            stack=self.stack,
            code_version=self.settings.image_tag,
            clock=self.clock,
        )

    @cached_property
    def tls_parameter(self) -> TlsParameter:
        """The SecureString of the stack's TLS key and certificate."""
        return TlsParameter(_sdk().client("ssm"))

    def drained(self) -> bool:
        """Whether no run holds workers, nor may get any."""
        return is_drained(_sdk().resource("dynamodb").Table(self.settings.runs_table))

    @cached_property
    def _s3(self) -> Any:
        return _sdk().client("s3", config=s3_config())


def _sdk() -> Any:
    import boto3  # a quarter of a second: whoever only imports a handler does not pay for it

    Tracer(auto_patch=False).patch(["botocore"])  # not by the handlers' tracers: it imports half of the SDK
    return boto3


@cache
def wiring() -> Wiring:
    """The adapters of this Lambda environment, kept while it is warm."""
    return Wiring()
