namespace Moat.Engine.Tests;

/// <summary>An image of Debian's configuration only: its programs come with <c>/usr</c> of the Debian root (tools/debian-root), which is mounted.</summary>
internal static class DebianImage
{
    /// <summary>The image.</summary>
    public const string Name = "debian";

    /// <summary>Makes the image, once for each daemon.</summary>
    /// <returns>The options of docker run that show the programs.</returns>
    public static string ImportInto(DockerDaemon daemon)
    {
        string root = Runsc.Execute([Path.Combine(Runsc.Repository, "tools/debian-root")], timeoutSeconds: 900).Output.Trim();
        string folder = Path.Combine(daemon.Folder, Name);
        if (!Directory.Exists(folder))
        {
            string script = $"mkdir {folder} && cd {folder} && cp -a {root}/etc {root}/bin {root}/sbin {root}/lib {root}/lib64 . && mkdir -m 1777 tmp && mkdir proc dev sys usr var run root";
            Assert.Equal(new CommandResult(0, "", ""), Runsc.Execute(["/bin/sh", "-c", script]));
            daemon.Import(Name, "CMD [\"sh\"]");
        }

        return $"-v {root}/usr:/usr:ro";
    }
}
