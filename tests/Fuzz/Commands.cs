using Moat.Fuzz.Targets;
using SharpFuzz;

namespace Moat.Fuzz;

/// <summary>What the command line asks for. Each returns the exit status.</summary>
internal static class Commands
{
    private const int MaxInput = 1 << 16;

    /// <summary>Prints the targets' names.</summary>
    public static int List()
    {
        foreach (FuzzTarget target in FuzzTargets.All)
        {
            Console.WriteLine(target.Name);
        }

        return 0;
    }

    /// <summary>Writes the inputs that a target begins with into a folder.</summary>
    public static int WriteSeeds(string name, string folder)
    {
        IReadOnlyList<byte[]> seeds = FuzzTargets.Find(name).MakeSeeds();
        Directory.CreateDirectory(folder);
        for (int i = 0; i < seeds.Count; i++)
        {
            File.WriteAllBytes(Path.Combine(folder, $"seed{i:000}"), seeds[i]);
        }

        return 0;
    }

    /// <summary>Serves afl-fuzz with a target, in a process whose assemblies are instrumented.</summary>
    public static int Run(string name)
    {
        FuzzTarget target = FuzzTargets.Find(name);
        byte[] buffer = new byte[MaxInput];
        Fuzzer.Run(stream =>
        {
            int length = stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false);
            target.Run(buffer.AsSpan(0, length));
        });
        return 0;
    }

    /// <summary>Tries inputs from files and prints what they do.</summary>
    public static int Replay(string name, string[] files)
    {
        FuzzTarget target = FuzzTargets.Find(name);
        int failed = 0;
        foreach (string file in files)
        {
            try
            {
                target.Run(File.ReadAllBytes(file));
                Console.WriteLine($"{file}: well");
            }
            catch (Exception error)
            {
                failed++;
                Console.WriteLine($"{file}: {error}");
            }
        }

        return failed == 0 ? 0 : 1;
    }

    /// <summary>Says what there is.</summary>
    public static int Usage()
    {
        Console.Error.WriteLine("usage: Fuzz list | seeds TARGET FOLDER | instrument FOLDER | run TARGET | replay TARGET FILE...");
        return 2;
    }
}
