namespace Moat.Kernel.Vfs;

/// <summary>How a mount shares changes below it: MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE (mount(2)).</summary>
public enum MountPropagation
{
    Private,
    Shared,
    Slave,
    Unbindable,
}
