namespace Moat.Kernel.Vfs;

/// <summary>Who gets the signals of a file (fcntl(2), <c>F_SETOWN_EX</c>).</summary>
public enum AsyncOwnerKind
{
    F_OWNER_TID = 0,
    F_OWNER_PID = 1,
    F_OWNER_PGRP = 2,
}
