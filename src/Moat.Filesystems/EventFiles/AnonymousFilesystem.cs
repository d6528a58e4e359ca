using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.EventFiles;

/// <summary>The home of files without a place, such as eventfds and epoll instances; mounted nowhere. They share one inode, as in Linux.</summary>
public sealed class AnonymousFilesystem : SyntheticFilesystem
{
    private const int MaxInotifyInstances = 128;

    private readonly Dictionary<uint, int> _inotifyInstances = []; // guarded by itself

    /// <summary>Makes the one instance of a kernel.</summary>
    public AnonymousFilesystem(SentryKernel kernel)
        : base(new DeviceNumber(0, (uint)kernel.NextAnonymousDevice()), kernel.Clock) => Inode = new AnonymousInode(this);

    /// <inheritdoc/>
    public override string TypeName => "anon_inodefs";

    /// <inheritdoc/>
    public override Inode Root => throw new InvalidOperationException("not mountable");

    /// <summary>Counts an inotify instance of a user; false at fs.inotify.max_user_instances.</summary>
    public bool TryAddInotify(uint uid)
    {
        lock (_inotifyInstances)
        {
            int count = _inotifyInstances.GetValueOrDefault(uid);
            if (count >= MaxInotifyInstances)
            {
                return false;
            }

            _inotifyInstances[uid] = count + 1;
            return true;
        }
    }

    /// <summary>Ends what <see cref="TryAddInotify"/> began.</summary>
    internal void RemoveInotify(uint uid)
    {
        lock (_inotifyInstances)
        {
            _inotifyInstances[uid]--;
        }
    }

    /// <summary>The inode of all of them.</summary>
    public Inode Inode { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x09041934;

    private sealed class AnonymousInode(AnonymousFilesystem filesystem) : SyntheticInode(filesystem, (Mode)0x180);
}
