using Moat.Filesystems.Synthetic;
using Moat.Kernel;
using Moat.Kernel.Time;
using Moat.Kernel.Vfs;
using Moat.Linux;

namespace Moat.Filesystems.Sys;

/// <summary>sysfs (sysfs(5)): the processors, and the folders that programs expect to find.</summary>
public sealed class SysFilesystem : SyntheticFilesystem
{
    private const Mode WorldReadable = (Mode)0x124; // 0444

    /// <summary>Makes the tree.</summary>
    public SysFilesystem(DeviceNumber device, HostFacts facts, IKernelClock clock)
        : base(device, clock)
    {
        string cpus = facts.ProcessorCount == 1 ? "0\n" : $"0-{facts.ProcessorCount - 1}\n";
        StaticDirectory cpu = new(this);
        for (int i = 0; i < facts.ProcessorCount; i++)
        {
            cpu.Add($"cpu{i}", Processor(i, cpus));
        }

        cpu.Add("online", Text(cpus)).Add("possible", Text(cpus)).Add("present", Text(cpus)).Add("offline", Text("\n")).Add("kernel_max", Text("8191\n"));
        StaticDirectory node0 = new StaticDirectory(this).Add("cpulist", Text(cpus));
        StaticDirectory node = new StaticDirectory(this).Add("node0", node0).Add("online", Text("0\n")).Add("possible", Text("0\n")).Add("has_cpu", Text("0\n"));
        StaticDirectory system = new StaticDirectory(this).Add("cpu", cpu).Add("node", node);
        StaticDirectory hugePages = new StaticDirectory(this).Add("enabled", Text("always [madvise] never\n")).Add("hpage_pmd_size", Text("2097152\n"));
        StaticDirectory root = new StaticDirectory(this)
            .Add("block", new StaticDirectory(this))
            .Add("bus", new StaticDirectory(this))
            .Add("class", new StaticDirectory(this).Add("net", new StaticDirectory(this)).Add("power_supply", new StaticDirectory(this)))
            .Add("dev", new StaticDirectory(this).Add("block", new StaticDirectory(this)).Add("char", new StaticDirectory(this)))
            .Add("devices", new StaticDirectory(this).Add("system", system).Add("virtual", new StaticDirectory(this)))
            .Add("firmware", new StaticDirectory(this))
            .Add("fs", new StaticDirectory(this).Add("cgroup", new StaticDirectory(this)))
            .Add("kernel", new StaticDirectory(this).Add("mm", new StaticDirectory(this).Add("transparent_hugepage", hugePages)))
            .Add("module", new StaticDirectory(this))
            .Add("power", new StaticDirectory(this));
        Root = root;
    }

    /// <inheritdoc/>
    public override string TypeName => "sysfs";

    /// <inheritdoc/>
    public override Inode Root { get; }

    /// <inheritdoc/>
    protected override long Magic => 0x62656572;

    private StaticDirectory Processor(int index, string siblings)
    {
        StaticDirectory topology = new StaticDirectory(this)
            .Add("core_id", Text($"{index}\n"))
            .Add("physical_package_id", Text("0\n"))
            .Add("core_siblings_list", Text(siblings))
            .Add("thread_siblings_list", Text($"{index}\n"));
        return new StaticDirectory(this).Add("online", Text("1\n")).Add("topology", topology);
    }

    private TextFile Text(string content) => new(this, _ => content, WorldReadable);
}
