"""The Azure Monitor metrics batch API."""

from __future__ import annotations

from typing import Any

import polars as pl
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.servers.identity import refuse_wrong_audience
from simulator.servers.records import Records, parse, text

AUDIENCE = "https://metrics.monitor.azure.com"


def routes(records: Records) -> list[Route]:
    """Return the route below ``/metrics``; resources are found by the last part of their id."""
    frame = records.frames["capacity_samples"]

    async def batch(request: Request) -> Response:
        refused = refuse_wrong_audience(request, AUDIENCE)
        if refused is not None:
            return refused
        query, body = request.query_params, await request.json()
        names = query["metricnames"]
        values: list[dict[str, Any]] = []
        # Any order: a client that trusts it mixes resources up.
        for resource in reversed(body["resourceids"]):
            start, end = parse(query["starttime"]), parse(query["endtime"])
            rows = frame.filter(
                (pl.col("resource_id") == resource.rsplit("/", 1)[-1])
                & (pl.col("sampled_at") >= start)
                & (pl.col("sampled_at") < end)
            )
            key = query["aggregation"].lower()
            data: list[dict[str, Any]] = [
                {"timeStamp": text(at), key: round(value * 100, 2)}
                for at, value in rows.select("sampled_at", "utilisation_ratio").iter_rows()
            ]
            # An hour without a sample is a point without values.
            data.append({"timeStamp": text(start)} if not data else {"timeStamp": text(end)})
            values.append(
                {
                    "starttime": query["starttime"],
                    "endtime": query["endtime"],
                    "interval": query.get("interval", "PT1H"),
                    "namespace": query["metricnamespace"],
                    "resourceregion": "norwayeast",
                    "resourceid": resource,
                    "value": [
                        {
                            "id": f"{resource}/providers/Microsoft.Insights/metrics/{names}",
                            "type": "Microsoft.Insights/metrics",
                            "name": {"value": names, "localizedValue": names},
                            "unit": "Percent",
                            "errorCode": "Success",
                            "timeseries": [{"metadatavalues": [], "data": data}],
                        }
                    ],
                }
            )
        return JSONResponse({"values": values})

    return [Route("/subscriptions/{subscription}/metrics:getBatch", batch, methods=["POST"])]
