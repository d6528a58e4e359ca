using Moat.Engine.Tests.Oci;

namespace Moat.Engine.Tests.Matrix;

/// <summary>The program of the matrix, compiled, and a root for the container that runs it.</summary>
public sealed class MatrixProgram : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("moat-matrix-").FullName;

    /// <summary>Compiles it.</summary>
    public MatrixProgram()
    {
        string[] sources = Directory.GetFiles(System.IO.Path.Combine(Runsc.Repository, "tests", "Engine.Tests", "Matrix"), "*.c");
        Array.Sort(sources, StringComparer.Ordinal); // both ends have their cases in the order of the files
        CommandResult compiled = Runsc.Execute(["gcc", "-O1", "-Wall", "-Werror", "-static", "-o", Path, .. sources]);
        Assert.True(compiled.ExitCode == 0, compiled.Error);
    }

    /// <summary>Its file.</summary>
    public string Path => System.IO.Path.Combine(_folder, "matrix");

    /// <summary>A root for containers.</summary>
    public BundleRoot Root { get; } = new();

    /// <inheritdoc/>
    public void Dispose()
    {
        Root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
