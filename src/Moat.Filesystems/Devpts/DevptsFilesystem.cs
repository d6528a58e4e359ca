using System.Globalization;
using Moat.Filesystems.Synthetic;
using Moat.Filesystems.Tty;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Devpts;

/// <summary>devpts: the terminals of a sandbox by number, and ptmx, which makes new ones (pts(4)). Terminals of the host that the sandbox was given have their places here too.</summary>
public sealed class DevptsFilesystem : SyntheticFilesystem
{
    /// <summary>How many terminals there may be: kernel.pty.max.</summary>
    public const int MaxTerminals = 4096;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<int, DevptsSlave> _slaves = []; // guarded by _lock
    private readonly SentryKernel _kernel;
    private readonly DevptsOptions _options;
    private readonly DevptsRoot _root;

    /// <summary>Makes an instance without terminals.</summary>
    public DevptsFilesystem(SentryKernel kernel, DevptsOptions options)
        : base(new DeviceNumber(0, (uint)kernel.NextAnonymousDevice()), kernel.Clock)
    {
        _kernel = kernel;
        _options = options;
        _root = new DevptsRoot(this);
        Master = new DevptsNode(this, TerminalDevices.Master, options.MasterMode, default);
    }

    /// <inheritdoc/>
    public override string TypeName => "devpts";

    /// <inheritdoc/>
    public override Inode Root => _root;

    /// <inheritdoc/>
    public override bool IsStable => false;

    /// <inheritdoc/>
    public override string Options => string.Create(
        CultureInfo.InvariantCulture,
        $"{(_options.Uid is { } uid ? $"uid={uid}," : "")}{(_options.Gid is { } gid ? $"gid={gid}," : "")}mode={Convert.ToString((uint)_options.SlaveMode, 8).PadLeft(3, '0')},ptmxmode={Convert.ToString((uint)_options.MasterMode, 8).PadLeft(3, '0')}");

    /// <summary>The node ptmx.</summary>
    internal DevptsNode Master { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x1cd1;

    /// <summary>Gives a terminal of the host its place.</summary>
    /// <param name="create">Makes it, with its number and who to tell when it has gone.</param>
    /// <returns>The terminal; ENOSPC when there are too many.</returns>
    public Result<Terminal> Add(Func<int, Action<int>, Terminal> create) => AddSlave(create, new NewOwner(_options.Uid ?? 0, _options.Gid ?? 0)).TryGet(out DevptsSlave? slave, out Errno errno) ? slave.Terminal : errno;

    /// <summary>The inode of a terminal that is here.</summary>
    internal DevptsSlave? Find(int index)
    {
        lock (_lock)
        {
            return _slaves.GetValueOrDefault(index);
        }
    }

    /// <summary>All terminals, by number.</summary>
    internal IReadOnlyList<DevptsSlave> List()
    {
        lock (_lock)
        {
            return [.. _slaves.Values];
        }
    }

    /// <summary>open(2) of ptmx: a new pseudo-terminal.</summary>
    /// <param name="task">Who opens it.</param>
    /// <param name="location">What was opened.</param>
    /// <param name="root">This instance's root, as mounted.</param>
    /// <param name="flags">O_*.</param>
    internal Result<FileDescription> OpenMaster(GuestTask task, PathLocation location, PathLocation root, OpenFlags flags)
    {
        NewOwner owner = new(_options.Uid ?? task.Credentials.FilesystemUid, _options.Gid ?? task.Credentials.FilesystemGid);
        return AddSlave((index, onGone) => new PseudoTerminal(_kernel, index, onGone), owner).TryGet(out DevptsSlave? slave, out Errno errno)
            ? new MasterDescription((PseudoTerminal)slave.Terminal, root, flags, location)
            : errno;
    }

    private Result<DevptsSlave> AddSlave(Func<int, Action<int>, Terminal> create, NewOwner owner)
    {
        lock (_lock)
        {
            if (_slaves.Count >= Math.Min(_options.Max, MaxTerminals))
            {
                return Errno.ENOSPC;
            }

            int index = 0;
            foreach (int taken in _slaves.Keys)
            {
                if (taken != index)
                {
                    break;
                }

                index++;
            }

            DevptsSlave slave = new(this, create(index, Remove), _options.SlaveMode, owner);
            _slaves.Add(index, slave);
            return slave;
        }
    }

    private void Remove(int index)
    {
        lock (_lock)
        {
            _slaves.Remove(index);
        }
    }
}
