"""The task's package: greets, tells the time, and shows a few of the variables that every task is given."""

import datetime
import os

print("Hello world")
print(datetime.datetime.now(datetime.timezone.utc).strftime("It is %A, %d %B %Y, %H:%M:%S UTC"))
for name in ("ACCOUNT_NAME", "POOL_ID", "NODE_ID", "JOB_ID", "TASK_ID", "TASK_WORKING_DIR"):
    print(f"AZ_BATCH_{name} = {os.environ.get('AZ_BATCH_' + name, '(not set)')}")
