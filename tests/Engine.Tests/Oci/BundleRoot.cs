namespace Moat.Engine.Tests.Oci;

/// <summary>A root that the bundles of a test class share.</summary>
public sealed class BundleRoot : IDisposable
{
    private readonly string _folder = TestRun.MakeFolder("root");

    /// <summary>Makes it.</summary>
    public BundleRoot() => TestRoot.Make(_folder);

    /// <summary>Its path.</summary>
    public string Folder => _folder;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
