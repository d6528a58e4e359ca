namespace Moat.Engine.Tests;

/// <summary>A small root made from the host's busybox, and a program that prints a well-known message.</summary>
internal static class TestRoot
{
    private const string HelloSource = """
        #include <string.h>
        #include <unistd.h>
        static const char text[] = "\nHello from Docker!\nThis message shows that your installation appears to be working correctly.\n\n";
        int main(void) { return write(1, text, strlen(text)) != (ssize_t)strlen(text); }
        """;

    /// <summary>Makes the root.</summary>
    public static void Make(string folder)
    {
        Directory.CreateDirectory(folder);
        SetMode(folder, "0755"); // not only for root
        foreach (string name in (string[])["bin", "etc", "root", "tmp", "var", "home/user"])
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        Runsc.CopyProgram("/bin/busybox", Path.Combine(folder, "bin/busybox"));
        foreach (string applet in Runsc.Execute(["/bin/busybox", "--list"]).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(static applet => applet != "busybox"))
        {
            File.CreateSymbolicLink(Path.Combine(folder, "bin", applet), "busybox");
        }

        File.WriteAllText(Path.Combine(folder, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000::/home/user:/bin/sh\n");
        File.WriteAllText(Path.Combine(folder, "etc/group"), "root:x:0:\nuser:x:1000:\n");
        SetMode(Path.Combine(folder, "tmp"), "1777");
    }

    /// <summary>Compiles the program with the message as /hello of a root of its own.</summary>
    public static void MakeHello(string folder)
    {
        Directory.CreateDirectory(folder);
        string source = folder + ".c";
        File.WriteAllText(source, HelloSource);
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-static", "-o", Path.Combine(folder, "hello"), source]);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
    }

    private static void SetMode(string path, string mode) => Assert.Equal(0, Runsc.Execute(["chmod", mode, path]).ExitCode);
}
