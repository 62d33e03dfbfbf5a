# Copyright (c) ias.observability contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated dcgm-exporter: two GPUs, with the counters that the real one has on by default."""

from __future__ import annotations

from tests.lab.platform.exporter import Exporter, Family

GPUS = ("0", "1")
MEMORY = 81_559.0  # MiB
RESERVED = 600.0


class DcgmExporter(Exporter):
    name = "dcgm-exporter"
    scenarios = ("xid", "hot", "memory_full")

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

    @staticmethod
    def family(name: str, kind: str, value: float) -> Family:
        samples = []
        for gpu in GPUS:
            labels = {
                "gpu": gpu,
                "UUID": f"GPU-00000000-0000-0000-0000-00000000000{gpu}",
                "pci_bus_id": f"00000000:0{gpu}:00.0",
                "device": f"nvidia{gpu}",
                "modelName": "NVIDIA H100 80GB HBM3",
                "Hostname": "gpu-node",
                "DCGM_FI_DRIVER_VERSION": "570.86.15",
            }
            samples.append((labels, value))
        return Family(name, kind, tuple(samples))
