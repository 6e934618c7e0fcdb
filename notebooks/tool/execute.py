"""Executes a notebook with its kernel.

Reads a request as JSON from the standard input and writes the result as JSON to the standard output;
main.ts does everything else.
"""

import json
import sys
import tempfile
from queue import Empty

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError


class PatientClient(NotebookClient):
    """Reads on until the kernel is silent: since 2.8 Deno's kernel reports idle before it has sent
    all that a cell printed."""

    silence = 0.2

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        await super()._async_poll_output_msg(parent_msg_id, cell, cell_index)
        while True:
            try:
                message = await self.kc.iopub_channel.get_msg(timeout=self.silence)
            except Empty:
                return
            if message["header"]["msg_type"] != "status":
                self.process_message(message, cell, cell_index)


def main():
    request = json.load(sys.stdin)
    # Where the file with the kernel's ports and key goes.
    tempfile.tempdir = request["room"]
    notebook = nbformat.reads(json.dumps(request["notebook"]), as_version=4)
    current = {"cell": None}
    client = PatientClient(
        notebook,
        kernel_name=request["kernel"],
        timeout=request["cellSeconds"],
        startup_timeout=request["startSeconds"],
        resources={"metadata": {"path": request["folder"]}},
        record_timing=False,
        on_cell_execute=lambda cell, cell_index: current.update(cell=cell_index),
    )
    failure = None
    try:
        client.execute()
    except CellExecutionError as error:
        failure = {"kind": "error", "name": error.ename, "message": error.evalue}
    except CellTimeoutError:
        failure = {"kind": "timeout", "name": "", "message": ""}
    except (DeadKernelError, RuntimeError) as error:
        failure = {"kind": "dead", "name": type(error).__name__, "message": str(error)}
    if failure is not None:
        failure["cell"] = current["cell"]
    json.dump({"notebook": notebook, "failure": failure}, sys.stdout)


main()
