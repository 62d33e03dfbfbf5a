# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated dcgm-exporter: two GPUs, with the counters that the real one has on by default.

DCGM_EXPORTER_VERSION says which version it speaks like: 4.8.3 calls a label otherwise than 4.8.2; 4.9.0 calls many
metrics otherwise, and counts some of them in another unit.
"""

from __future__ import annotations

import os

from tests.lab.platform.exporter import Clock, Exporter, Family

VERSIONS = ("4.8.2", "4.8.3", "4.9.0")
GPUS = ("0", "1")
MEMORY = 81_559.0  # MiB
RESERVED = 600.0
# name before 4.9.0: (name since, what the value is multiplied with)
RENAMED = {
    "DCGM_FI_DEV_GPU_UTIL": ("DCGM_FI_DEV_GPU_UTIL_RATIO", 0.01),
    "DCGM_FI_DEV_MEM_COPY_UTIL": ("DCGM_FI_DEV_MEMORY_UTIL_RATIO", 0.01),
    "DCGM_FI_DEV_FB_USED": ("DCGM_FI_DEV_FB_USED_BYTES", 2**20),
    "DCGM_FI_DEV_FB_FREE": ("DCGM_FI_DEV_FB_FREE_BYTES", 2**20),
    "DCGM_FI_DEV_FB_RESERVED": ("DCGM_FI_DEV_FB_RESERVED_BYTES", 2**20),
    "DCGM_FI_DEV_GPU_TEMP": ("DCGM_FI_DEV_GPU_TEMP_CELSIUS", 1),
    "DCGM_FI_DEV_MEMORY_TEMP": ("DCGM_FI_DEV_MEMORY_TEMP_CELSIUS", 1),
    "DCGM_FI_DEV_POWER_USAGE": ("DCGM_FI_DEV_BOARD_POWER_WATTS", 1),
    "DCGM_FI_DEV_SM_CLOCK": ("DCGM_FI_DEV_SM_CLOCK_HERTZ", 10**6),
    "DCGM_FI_DEV_MEM_CLOCK": ("DCGM_FI_DEV_MEMORY_CLOCK_HERTZ", 10**6),
    "DCGM_FI_DEV_XID_ERRORS": ("DCGM_FI_DEV_XID_ERROR", 1),
    "DCGM_FI_PROF_GR_ENGINE_ACTIVE": ("DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO", 1),
    "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": ("DCGM_FI_PROF_TENSOR_UTIL_RATIO", 1),
    "DCGM_FI_PROF_DRAM_ACTIVE": ("DCGM_FI_PROF_DRAM_UTIL_RATIO", 1),
    "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": ("DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL", 0.001),
    "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": ("DCGM_FI_DEV_PCIE_REPLAY_TOTAL", 1),
}


class DcgmExporter(Exporter):
    name = "dcgm-exporter"
    scenarios = ("xid", "hot", "memory_full")

    def __init__(self, clock: Clock | None = None, version: str = "") -> None:
        super().__init__(clock)
        self.version = version or os.environ.get("DCGM_EXPORTER_VERSION", VERSIONS[-1])
        if self.version not in VERSIONS:
            raise SystemExit(f"DCGM_EXPORTER_VERSION is one of {', '.join(VERSIONS)}, not {self.version}")

    def families(self) -> list[Family]:
        clock = self.clock
        used = MEMORY - RESERVED - 50 if self.on("memory_full") else clock.sine(52_000, 64_000)
        hot = 94.0 if self.on("hot") else clock.sine(48, 66)
        gauges = {
            "DCGM_FI_DEV_GPU_UTIL": clock.sine(35, 88),
            "DCGM_FI_DEV_MEM_COPY_UTIL": clock.sine(20, 55),
            "DCGM_FI_DEV_FB_USED": used,
            "DCGM_FI_DEV_FB_FREE": MEMORY - RESERVED - used,
            "DCGM_FI_DEV_FB_RESERVED": RESERVED,
            "DCGM_FI_DEV_GPU_TEMP": hot,
            "DCGM_FI_DEV_MEMORY_TEMP": hot + 6,
            "DCGM_FI_DEV_POWER_USAGE": clock.sine(180, 420),
            "DCGM_FI_DEV_SM_CLOCK": 1980.0,
            "DCGM_FI_DEV_MEM_CLOCK": 2619.0,
            "DCGM_FI_DEV_XID_ERRORS": 79.0 if self.on("xid") else 0.0,
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE": clock.sine(0.3, 0.85),
            "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE": clock.sine(0.1, 0.5),
            "DCGM_FI_PROF_DRAM_ACTIVE": clock.sine(0.2, 0.6),
            "DCGM_FI_PROF_PCIE_TX_BYTES": clock.sine(1e8, 9e8),
            "DCGM_FI_PROF_PCIE_RX_BYTES": clock.sine(1e8, 9e8),
        }
        counters = {
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION": clock.accumulated(300_000),  # mJ
            "DCGM_FI_DEV_PCIE_REPLAY_COUNTER": 0.0,
        }
        return [
            *(self.family(name, "gauge", value) for name, value in gauges.items()),
            *(self.family(name, "counter", value) for name, value in counters.items()),
        ]

    def family(self, name: str, kind: str, value: float) -> Family:
        """What 4.8.2 calls so, as the version calls and counts it."""
        is_renamed = self.version == "4.9.0"
        if is_renamed and name in RENAMED:
            name, factor = RENAMED[name]
            value *= factor
        host = "Hostname" if self.version == "4.8.2" else "hostname"
        driver = "DCGM_FI_SYSTEM_DRIVER_VERSION" if is_renamed else "DCGM_FI_DRIVER_VERSION"
        samples = []
        for gpu in GPUS:
            labels = {
                "gpu": gpu,
                "UUID": f"GPU-00000000-0000-0000-0000-00000000000{gpu}",
                "pci_bus_id": f"00000000:0{gpu}:00.0",
                "device": f"nvidia{gpu}",
                "modelName": "NVIDIA H100 80GB HBM3",
                host: "gpu-node",
                driver: "570.86.15",
            }
            samples.append((labels, value))
        return Family(name, kind, tuple(samples))
