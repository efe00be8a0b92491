"""Deployments that tests write files for."""

from pathlib import Path
from typing import Any

from statefun_runtime.flink.deployment import Deployment, FlinkVersion, Target

MODULE = "---\nkind: io.statefun.kafka.v1/egress\nspec:\n  id: shop/out\n  address: kafka:9092\n"
CRD = "META-INF/fabric8/flinkdeployments.flink.apache.org-v1.yml"


def shop(target: Target = "kubernetes", flink: FlinkVersion = "1.16", **more: Any) -> Deployment:
    return Deployment(**({"name": "shop", "target": target, "flink": flink, "module": MODULE} | more))


def template_directory() -> Path:
    return Path(__file__).resolve().parents[3] / "src" / "statefun_runtime" / "flink" / "template"
