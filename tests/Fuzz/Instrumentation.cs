using SharpFuzz;

namespace Moat.Fuzz;

/// <summary>Rewrites the project's assemblies in a folder, so that they tell which branches are taken.</summary>
internal static class Instrumentation
{
    private static readonly string[] s_assemblies = ["Moat.Netstack", "Moat.Sockets", "Moat.Kernel", "Moat.NineP", "Moat.Oci"];

    /// <summary>Rewrites them. They must not be those of this process.</summary>
    public static int Apply(string folder)
    {
        foreach (string assembly in s_assemblies)
        {
            _ = Fuzzer.Instrument(Path.Combine(folder, assembly + ".dll"), static _ => true, Options.Value);
        }

        return 0;
    }
}
