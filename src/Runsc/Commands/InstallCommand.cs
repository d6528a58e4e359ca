using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>install</c>: add this program to the runtimes of Docker.</summary>
internal sealed class InstallCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "install";

    /// <inheritdoc/>
    public string Usage => "[--config_file FILE] [--runtime NAME] [-- flags...]";

    /// <inheritdoc/>
    public string Summary => "add this program to the runtimes of Docker";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("config_file", FlagKind.Text, "/etc/docker/daemon.json", "Docker's configuration"),
        new("runtime", FlagKind.Text, "runsc", "name of the runtime"),
        new("clobber", FlagKind.Boolean, "true", "replace a runtime with this name"),
        new("experimental", FlagKind.Boolean, "false", "accepted, has no effect"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string path = flags.Text("config_file");
        DockerConfig config = DockerConfig.Load(path);
        config.AddRuntime(flags.Text("runtime"), Environment.ProcessPath!, flags.Arguments, flags.IsSet("clobber"));
        config.Save();
        Console.Out.WriteLine($"Added runtime {flags.Text("runtime")} to {path}. Restart Docker to use it.");
        return 0;
    }
}
