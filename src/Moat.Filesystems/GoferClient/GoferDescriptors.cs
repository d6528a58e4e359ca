using Moat.Host;

namespace Moat.Filesystems.GoferClient;

/// <summary>The donated descriptors of a tree that nobody changes. Those of files that were closed are kept for the next open, up to a number; the ones closed first go first. Any thread.</summary>
internal sealed class GoferDescriptors
{
    private const int MaxIdle = 128;

    private readonly Lock _lock = new();
    private readonly LinkedList<GoferDescriptor> _idle = new(); // guarded by _lock, the last closed first

    /// <summary>Uses a file's descriptor, if it has one.</summary>
    public GoferDescriptor? TryUse(GoferInode inode)
    {
        lock (_lock)
        {
            return inode.Descriptor is { } descriptor ? UseLocked(descriptor) : null;
        }
    }

    /// <summary>Takes a descriptor over and uses it, or the one that another thread got meanwhile.</summary>
    public GoferDescriptor Add(GoferInode inode, int fd)
    {
        GoferDescriptor other;
        lock (_lock)
        {
            if (inode.Descriptor is null)
            {
                return inode.Descriptor = new GoferDescriptor(inode, fd) { Users = 1 };
            }

            other = UseLocked(inode.Descriptor);
        }

        HostMemory.Close(fd);
        return other;
    }

    /// <summary>Ends one use.</summary>
    public void Release(GoferDescriptor descriptor)
    {
        GoferDescriptor oldest;
        lock (_lock)
        {
            if (--descriptor.Users > 0)
            {
                return;
            }

            descriptor.Idle = _idle.AddFirst(descriptor);
            if (_idle.Count <= MaxIdle)
            {
                return;
            }

            oldest = _idle.Last!.Value;
            _idle.RemoveLast();
            oldest.Inode.Descriptor = null;
        }

        HostMemory.Close(oldest.Fd);
    }

    private GoferDescriptor UseLocked(GoferDescriptor descriptor)
    {
        if (descriptor.Idle is { } node)
        {
            _idle.Remove(node);
            descriptor.Idle = null;
        }

        descriptor.Users++;
        return descriptor;
    }
}
