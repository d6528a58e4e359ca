using Runsc.Flags;

namespace Runsc.Commands;

/// <summary><c>uninstall</c>: remove this program from the runtimes of Docker.</summary>
internal sealed class UninstallCommand : ICommand
{
    /// <inheritdoc/>
    public string Name => "uninstall";

    /// <inheritdoc/>
    public string Usage => "[--config_file FILE] [--runtime NAME]";

    /// <inheritdoc/>
    public string Summary => "remove this program from the runtimes of Docker";

    /// <inheritdoc/>
    public IReadOnlyList<FlagDefinition> Flags => 
    [
        new("config_file", FlagKind.Text, "/etc/docker/daemon.json", "Docker's configuration"),
        new("runtime", FlagKind.Text, "runsc", "name of the runtime"),
    ];

    /// <inheritdoc/>
    public int Run(CommandContext context, FlagSet flags)
    {
        string path = flags.Text("config_file");
        DockerConfig config = DockerConfig.Load(path);
        config.RemoveRuntime(flags.Text("runtime"));
        config.Save();
        Console.Out.WriteLine($"Removed runtime {flags.Text("runtime")} from {path}. Restart Docker.");
        return 0;
    }
}
