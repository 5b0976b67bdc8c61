// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "CompleteFunction",
    platforms: [.macOS(.v15)],
    // In a package of your own: .package(url: "…/swiftinfer", from: "0.2.0", traits: [])
    dependencies: [.package(name: "swiftinfer", path: "../../..", traits: [])],
    targets: [
        .executableTarget(name: "CompleteFunction", dependencies: [.product(name: "SwiftInfer", package: "swiftinfer")])
    ]
)
