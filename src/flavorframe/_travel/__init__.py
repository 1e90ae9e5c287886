"""What goes along to other processes and machines."""
