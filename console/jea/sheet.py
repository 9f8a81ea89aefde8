"""The install sheet that goes with the export."""

from __future__ import annotations

from console.windows.modules import MODULE, OPERATE_ENDPOINT, WATCH_ENDPOINT
from console.windows.powershell import quoted

_SHEET = """\
# Installing Drainboard's constrained endpoints

Two session configurations for Windows PowerShell 5.1, the same on every node of the cluster. A console that connects to
one of them can call these functions and nothing else: no cmdlet, no script.

| session configuration | who | functions |
| --- | --- | --- |
| `{watch}` | {watch_group} | {reads} that read |
| `{operate}` | {operate_group} | the same, and {changes} that change |

`{module}/{module}.psm1` shows each of them in full. They were written from the console's own list of commands:
after an update of the console, export and install again.

## On each node, in an elevated Windows PowerShell

1. Write the two groups of your domain into `RoleDefinitions` of the two `.pssc` files, unless they were given to
   `drainboard jea export`. Local groups are named by the computer, not by `localhost`.

2. Copy the module to where only administrators can write, and check the two files; each line must say `True`.

   ```powershell
   Copy-Item -Path '.\\{module}' -Destination "$env:ProgramFiles\\WindowsPowerShell\\Modules" -Recurse -Force
   Test-PSSessionConfigurationFile -Path '.\\{watch}.pssc'
   Test-PSSessionConfigurationFile -Path '.\\{operate}.pssc'
   ```

3. Register them. **This restarts WinRM: every remote session on the node is cut**, so do it while nothing drains.

   ```powershell
   Register-PSSessionConfiguration -Name '{watch}' -Path '.\\{watch}.pssc' -Force
   Register-PSSessionConfiguration -Name '{operate}' -Path '.\\{operate}.pssc' -Force
   ```

4. Look at what a member of each group gets (put in a real account).

   ```powershell
   Get-PSSessionCapability -ConfigurationName '{watch}' -Username {watch_user}
   Get-PSSessionCapability -ConfigurationName '{operate}' -Username {operate_user}
   ```

5. On the console's machine name the endpoint in the configuration, then ask the doctor: it says which kind of endpoint
   it found on each node and which functions are missing there.

   ```toml
   [clusters.prod]
   endpoint = "{operate}"
   ```

   ```
   drainboard doctor --cluster prod
   ```

## What to know

* **Who runs the functions.** A virtual account that is made for each session. On a cluster node it belongs to the local
  Administrators, so it may do all that the functions do, on the cluster and on Hyper-V; that `{watch}` only reads is
  kept by its list of functions alone. To hold it back further, write the groups that may be enough into
  `RunAsVirtualAccountGroups` (then it is no administrator) and grant them the cluster; or write
  `GroupManagedServiceAccount` in place of `RunAsVirtualAccount`, at the price that every user looks the same.
* **What is written down.** Every session leaves a transcript in `C:\\ProgramData\\{module}\\Transcripts`: let nobody
  but the system and your auditors read it, and clear it from time to time.
* **What it does not do.** It does not hold back real administrators: they can still open `Microsoft.PowerShell`.
* A change of the module counts for sessions that begin afterwards. A change of a `.pssc` file needs both commands, and
  restarts WinRM again:

  ```powershell
  Unregister-PSSessionConfiguration -Name '{operate}' -Force
  Register-PSSessionConfiguration -Name '{operate}' -Path '.\\{operate}.pssc' -Force
  ```
"""


def install_sheet(watch_group: str, operate_group: str, reads: int, changes: int) -> str:
    """Markdown; its PowerShell is checked as every other line that a person is shown."""
    return _SHEET.format(
        module=MODULE,
        watch=WATCH_ENDPOINT,
        operate=OPERATE_ENDPOINT,
        watch_group=f"`{watch_group}`",
        operate_group=f"`{operate_group}`",
        watch_user=quoted(_member_of(watch_group)),
        operate_user=quoted(_member_of(operate_group)),
        reads=reads,
        changes=changes,
    )


def _member_of(group: str) -> str:
    domain, separator, _ = group.rpartition("\\")
    return f"{domain}{separator}somebody"
