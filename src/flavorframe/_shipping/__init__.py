"""What a run takes along to other processes and machines.

`user_code` packs an analysis with the user's own functions and modules, and `extra_files` knows
where the files that came along with a run are on this machine.
"""
