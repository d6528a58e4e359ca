namespace Moat.Kernel.Vfs;

/// <summary>Options of a mount, with the values of mount(2)'s MS_*.</summary>
[Flags]
public enum MountFlags
{
    None = 0,
    ReadOnly = 1,
    NoSuid = 2,
    NoDev = 4,
    NoExec = 8,
    NoSymFollow = 256,
    NoAtime = 1024,
    NoDirAtime = 2048,
    RelAtime = 1 << 21,
}
