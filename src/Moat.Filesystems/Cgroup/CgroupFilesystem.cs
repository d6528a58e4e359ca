using System.Globalization;
using System.Text;
using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Tasks;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Cgroup;

/// <summary>cgroup2 (the kernel's cgroup-v2 document) as the container sees its own group: limits, what is used of them, and members. There are no groups below it, and nothing can be written:
/// the limits are kept by the host's cgroup around the sandbox.</summary>
public sealed class CgroupFilesystem : SyntheticFilesystem
{
    private readonly GuestContainer _container;

    /// <summary>Makes the tree.</summary>
    public CgroupFilesystem(GuestContainer container, DeviceNumber device, CgroupLimits limits)
        : base(device, container.Kernel.Clock)
    {
        _container = container;
        string cpu = (limits.CpuQuotaUs?.ToString(CultureInfo.InvariantCulture) ?? "max") + " " + limits.CpuPeriodUs.ToString(CultureInfo.InvariantCulture) + "\n";
        Root = new StaticDirectory(this)
            .Add("cgroup.controllers", Text("cpu memory pids\n"))
            .Add("cgroup.events", Text("populated 1\nfrozen 0\n"))
            .Add("cgroup.procs", new TextFile(this, reader => Members(reader, isThreads: false)))
            .Add("cgroup.subtree_control", Text("\n"))
            .Add("cgroup.threads", new TextFile(this, reader => Members(reader, isThreads: true)))
            .Add("cgroup.type", Text("domain\n"))
            .Add("cpu.max", Text(cpu))
            .Add("cpu.stat", new TextFile(this, _ => CpuUsage()))
            .Add("memory.current", new TextFile(this, _ => Line((long)container.Kernel.MemoryFile.UsedBytes)))
            .Add("memory.max", Text(Limit(limits.MemoryBytes)))
            .Add("pids.current", new TextFile(this, _ => Line(container.TaskCount)))
            .Add("pids.max", Text(Limit(limits.Tasks)));
    }

    /// <inheritdoc/>
    public override string TypeName => "cgroup2";

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x63677270;

    private static string Limit(long? value) => value is { } limit ? Line(limit) : "max\n";

    private static string Line(long value) => value.ToString(CultureInfo.InvariantCulture) + "\n";

    private TextFile Text(string content) => new(this, _ => content);

    private string Members(GuestTask reader, bool isThreads)
    {
        StringBuilder text = new();
        lock (_container.Kernel.TaskLock)
        {
            foreach (ThreadGroup process in _container.ListProcesses())
            {
                if (!isThreads)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{process.Id.In(reader.Pids)}\n");
                    continue;
                }

                foreach (GuestTask task in process.Tasks)
                {
                    text.Append(CultureInfo.InvariantCulture, $"{task.Id.In(reader.Pids)}\n");
                }
            }
        }

        return text.ToString();
    }

    private string CpuUsage()
    {
        CpuTimes cpu = Proc.ProcessCounts.Of(_container).Cpu;
        return string.Create(CultureInfo.InvariantCulture, $"usage_usec {(cpu.UserNs + cpu.SystemNs) / 1000}\nuser_usec {cpu.UserNs / 1000}\nsystem_usec {cpu.SystemNs / 1000}\n");
    }
}
